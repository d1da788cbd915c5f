domain "a.example" {
  ttl = "1h"
}
