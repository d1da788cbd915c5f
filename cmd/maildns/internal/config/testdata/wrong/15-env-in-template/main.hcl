provider "cloudflare" "main" {
  api_token = "x-${env("TOKEN")}"
}
