package route53test

import (
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// Isolate takes the machine's AWS configuration away from the test process, so
// that no test reads it or asks the network for credentials. It is for TestMain.
func Isolate() {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		_ = os.Setenv(name, value)
	}
}

// Load makes Amazon's SDK talk to the server, without a connection.
func (s *Server) Load() []func(*config.LoadOptions) error {
	return []func(*config.LoadOptions) error{config.WithHTTPClient(s)}
}
