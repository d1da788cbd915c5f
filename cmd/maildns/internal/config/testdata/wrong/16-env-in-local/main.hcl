locals {
  token = env("TOKEN")
}

provider "cloudflare" "main" {
  api_token = local.token
}
