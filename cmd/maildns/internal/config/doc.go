// Package config reads the configuration: a directory of HCL files becomes
// records.Domain declarations, the providers that hold their zones, and the
// settings around them. It also formats HCL.
//
// A configuration is untrusted: plan runs on pull requests. So nothing here
// executes or fetches anything, files are read below the configuration
// directory only, environment variables reach provider, notify and
// report_source blocks alone, and every cost that a text can cause is bounded
// (see limits.go). The package reads no environment variable and no clock
// itself: Environment brings both.
package config
