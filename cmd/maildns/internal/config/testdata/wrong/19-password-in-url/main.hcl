report_source "imap" "dmarc" {
  url      = "imaps://dmarc:hunter2@imap.example.net/DMARC"
  user     = "dmarc"
  password = env("IMAP_PASSWORD")
}
