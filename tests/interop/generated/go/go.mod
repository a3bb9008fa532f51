module sealwright_driver

go 1.23

require sealwright_client v0.0.0

replace sealwright_client => ./client
