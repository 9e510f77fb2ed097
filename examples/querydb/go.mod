module querydb

go 1.21
