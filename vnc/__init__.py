"""The console: a websocket on one side, a node's VNC server on the other."""
