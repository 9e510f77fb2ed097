module args

go 1.21
