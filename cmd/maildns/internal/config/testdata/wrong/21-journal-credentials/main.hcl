journal {
  url = "s3://AKIAXXXXXXXX:verysecret@bucket/prefix"
}
