from econ.cli import main

main()
