"""Parses JSON from standard input as a message of the contract, and rejects unknown fields.

Arguments: a file with the descriptors of the contract, and the full name of the message.
"""

import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

descriptors, name = sys.argv[1:]
files = descriptor_pb2.FileDescriptorSet.FromString(open(descriptors, "rb").read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)
message = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
json_format.Parse(sys.stdin.read(), message)
