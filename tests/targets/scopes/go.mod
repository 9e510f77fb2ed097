module scopes

go 1.21
