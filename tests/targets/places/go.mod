module places

go 1.21
