provider "cloudflair" "main" {
  api_token = env("TOKEN")
}
