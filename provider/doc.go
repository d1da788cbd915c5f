// Package provider reads and writes zones at DNS hosts. It puts record-set
// semantics over libdns, whose implementations lose or alter records that mail
// needs: reads are canonical, writes state what they expect to find, and only
// reading again decides what happened.
package provider
