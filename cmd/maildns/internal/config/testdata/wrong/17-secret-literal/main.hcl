provider "cloudflare" "main" {
  api_token = "0123456789abcdef"
}
