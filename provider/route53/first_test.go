package route53_test

import "testing"

// BenchmarkFirstUse is what the first request pays for the SDK's configuration,
// besides the request.
func BenchmarkFirstUse(b *testing.B) {
	server, _ := world()
	for b.Loop() {
		read(b, open(b, settings(server)))
	}
}

// BenchmarkNew is what a start pays for a provider block.
func BenchmarkNew(b *testing.B) {
	server, _ := world()
	for b.Loop() {
		client(b, settings(server))
	}
}
