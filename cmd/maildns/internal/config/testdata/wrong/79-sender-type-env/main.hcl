provider "zonefile" "local" {
  directory = "zones"
}

sender_type "own" {
  input "token" {
    default = env("TOKEN")
  }

  record "x" "TXT" {
    values = [input.token, env("TOKEN"), file("../secret")]
  }
}
