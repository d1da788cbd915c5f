package route53test

import "encoding/xml"

const namespace = "https://route53.amazonaws.com/doc/2013-04-01/"

// Set is a resource record set as the API has it, its name with octal escapes.
type Set struct {
	Name                    string
	Type                    string
	SetIdentifier           string       `xml:",omitempty"`
	Weight                  *int64       `xml:",omitempty"`
	Region                  string       `xml:",omitempty"`
	GeoLocation             *GeoLocation `xml:",omitempty"`
	Failover                string       `xml:",omitempty"`
	MultiValueAnswer        bool         `xml:",omitempty"`
	TTL                     *int64       `xml:",omitempty"`
	ResourceRecords         []Record     `xml:"ResourceRecords>ResourceRecord,omitempty"`
	AliasTarget             *AliasTarget `xml:",omitempty"`
	HealthCheckID           string       `xml:"HealthCheckId,omitempty"`
	TrafficPolicyInstanceID string       `xml:"TrafficPolicyInstanceId,omitempty"`
}

// Record is one value of a set.
type Record struct{ Value string }

// AliasTarget is what an alias leads to.
type AliasTarget struct {
	HostedZoneID         string `xml:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth bool
}

// GeoLocation is where the questions come from that a set answers.
type GeoLocation struct {
	ContinentCode string `xml:",omitempty"`
	CountryCode   string `xml:",omitempty"`
}

// routed reports whether the set has a routing policy other than simple.
func (s *Set) routed() bool { return s.SetIdentifier != "" }

type change struct {
	Action string
	Set    *Set `xml:"ResourceRecordSet"`
}

type changeRequest struct {
	XMLName xml.Name `xml:"ChangeResourceRecordSetsRequest"`
	Changes []change `xml:"ChangeBatch>Changes>Change"`
}

type changeInfo struct {
	ID          string `xml:"Id"`
	Status      string
	SubmittedAt string
}

type changeResponse struct {
	XMLName    xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ChangeResourceRecordSetsResponse"`
	ChangeInfo changeInfo
}

type getChangeResponse struct {
	XMLName    xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ GetChangeResponse"`
	ChangeInfo changeInfo
}

type listSetsResponse struct {
	XMLName              xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ListResourceRecordSetsResponse"`
	Sets                 []Set    `xml:"ResourceRecordSets>ResourceRecordSet"`
	IsTruncated          bool
	NextRecordName       string `xml:",omitempty"`
	NextRecordType       string `xml:",omitempty"`
	NextRecordIdentifier string `xml:",omitempty"`
	MaxItems             int
}

type hostedZone struct {
	ID                     string `xml:"Id"`
	Name                   string
	CallerReference        string
	Config                 zoneConfig
	ResourceRecordSetCount int
}

type zoneConfig struct{ PrivateZone bool }

type listZonesResponse struct {
	XMLName     xml.Name     `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ListHostedZonesResponse"`
	Zones       []hostedZone `xml:"HostedZones>HostedZone"`
	Marker      string       `xml:",omitempty"`
	IsTruncated bool
	NextMarker  string `xml:",omitempty"`
	MaxItems    int
}

type listZonesByNameResponse struct {
	XMLName          xml.Name     `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ListHostedZonesByNameResponse"`
	Zones            []hostedZone `xml:"HostedZones>HostedZone"`
	DNSName          string       `xml:",omitempty"`
	HostedZoneID     string       `xml:"HostedZoneId,omitempty"`
	IsTruncated      bool
	NextDNSName      string `xml:",omitempty"`
	NextHostedZoneID string `xml:"NextHostedZoneId,omitempty"`
	MaxItems         int
}

type apiError struct {
	Type    string
	Code    string
	Message string
}

type errorResponse struct {
	XMLName   xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ErrorResponse"`
	Error     apiError
	RequestID string `xml:"RequestId"`
}

// invalidBatch is the form that the service has for this error alone.
type invalidBatch struct {
	XMLName   xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ InvalidChangeBatch"`
	Messages  []string `xml:"Messages>Message"`
	RequestID string   `xml:"RequestId"`
}
