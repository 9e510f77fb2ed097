module freezeframe.test/bodies

go 1.21
