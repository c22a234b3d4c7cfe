"""Validates JSON documents against a JSON schema.

Arguments: the file of the schema, and the files of the documents.
"""

import json
import sys

import jsonschema

schema, *documents = sys.argv[1:]
validator = jsonschema.Draft202012Validator(json.load(open(schema)))
validator.check_schema(validator.schema)
for document in documents:
    validator.validate(json.load(open(document)))
