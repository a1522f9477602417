// dotenv reads an env file on standard input and prints what it says as one JSON object. It is the
// oracle of the tests: the parser is the one that abra's own comes from, not one of ours.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/joho/godotenv"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "dotenv: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	values, err := godotenv.Parse(os.Stdin)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	// Values come back as they were: "<" stays "<".
	encoder.SetEscapeHTML(false)
	return encoder.Encode(values)
}
