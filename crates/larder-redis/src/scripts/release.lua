live()
take(KEYS[5], ARGV[5])
return 1
