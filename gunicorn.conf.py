"""How gunicorn serves the site; it reads this file by itself when it starts in this directory.

A thread waits for the rest of a request that was sent by half, so there are many more of them than
requests that are worked on. A proxy that buffers requests stands in front in production
(docs/nginx.conf.example).
"""

worker_class = "gthread"
threads = 64
# A worker that answers nothing is replaced. No request lives as long: the database ends it at 15 s.
timeout = 30
graceful_timeout = 30
keepalive = 5
# The longest of our own: a search in the console, and the cookies of a session.
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
# Nobody steers a running server through a socket.
control_socket_disable = True
