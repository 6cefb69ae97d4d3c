"""What they may do: the policy language, the engine, the policies."""
