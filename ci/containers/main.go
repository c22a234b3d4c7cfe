// Parses a Dockerfile with BuildKit's parser and linter, and a Compose file with Compose's parser and all profiles. It
// needs no container engine and pulls no image: base images are assumed to exist.
//
//	containers Dockerfile docker-compose.yml
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	problems := append(dockerfile(os.Args[1]), compose(os.Args[2])...)
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

func dockerfile(path string) (problems []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	source := llb.NewSourceMap(nil, path, "Dockerfile", text)
	source.Definition = &llb.Definition{}
	for _, architecture := range []string{"amd64", "arm64"} {
		results, err := dockerfile2llb.DockerfileLint(context.Background(), text, dockerfile2llb.ConvertOpt{
			MetaResolver:   unconfigured{},
			SourceMap:      source,
			TargetPlatform: &ocispecs.Platform{OS: "linux", Architecture: architecture},
		})
		if err != nil {
			return []string{err.Error()}
		}
		if results.Error != nil {
			problems = append(problems, fmt.Sprintf("%s, %s: %s", path, architecture, results.Error.Message))
		}
		for _, warning := range results.Warnings {
			problems = append(problems, fmt.Sprintf("%s, %s: %s: %s", path, architecture, warning.RuleName, warning.Detail))
		}
	}
	return problems
}

// unconfigured resolves every base image to an empty configuration, without a registry.
type unconfigured struct{}

func (unconfigured) ResolveImageConfig(
	_ context.Context, reference string, _ sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	return reference, "", []byte("{}"), nil
}

func compose(path string) (problems []string) {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return []string{err.Error()}
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", path, err)}
	}
	// The engine would create a directory in place of a missing file.
	for _, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				problems = append(problems, fmt.Sprintf("%s, %s: %v", path, service.Name, err))
			}
		}
	}
	return problems
}
