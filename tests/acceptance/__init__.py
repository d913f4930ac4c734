"""The program from outside: what a person or a farm script sees, command by command."""
