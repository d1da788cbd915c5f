# Where what was done is recorded, and where the zone lives. Everything else is
# in mail.hcl: all *.hcl files of a directory are one configuration.

journal {
  url = "file://.maildns" # relative to this directory; a team would share a bucket
}

provider "zonefile" "local" {
  directory = "zones" # zones/attunelogic.com.zone
}
