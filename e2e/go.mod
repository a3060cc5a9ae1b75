module github.com/runattest/runattest/e2e

go 1.26.0
