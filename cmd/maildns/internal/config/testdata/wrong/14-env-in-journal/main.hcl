journal {
  url = env("JOURNAL")
}
