variable "token" {
  default = "0123456789abcdef"
}

provider "cloudflare" "main" {
  api_token = var.token
}
