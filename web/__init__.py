"""The pages a person looks at: files that run in a browser and use the public HTTP API only."""
