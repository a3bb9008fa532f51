package main

import (
	"context"
	"log"
	"os"

	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	config := clientcredentials.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		TokenURL:     "https://auth.example.com/api/oauth/token",
		Scopes:       []string{"orders:read"},
	}
	// The client adds a token to every request, and fetches a new one in time.
	client := config.Client(context.Background())
	answer, err := client.Get("https://api.example.com/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
}
