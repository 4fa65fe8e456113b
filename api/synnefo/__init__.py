"""The Synnefo dialect: what kamaki, astakosclient and burnin speak."""
