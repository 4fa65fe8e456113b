A first cloud in one process: accounts and tokens, object storage in the Swift
and Pithos dialects, images, servers on Ganeti in the OpenStack and Synnefo
dialects, and consoles in the browser; ``make run`` starts all of it.
