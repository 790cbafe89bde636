package server

import "github.com/tongbo/tongbo/internal/action"

// Actions are the verbs of the server.
func (s *Server) Actions() *action.Actions { return s.actions }
