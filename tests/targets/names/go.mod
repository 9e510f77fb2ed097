module names

go 1.21

require example.com/yaml.v3 v0.0.0

replace example.com/yaml.v3 => ./yaml.v3
