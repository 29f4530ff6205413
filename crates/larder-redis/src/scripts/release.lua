live()
take(KEYS[5], ARGV[8])
return 1
