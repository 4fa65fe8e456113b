Servers are resized (running ones too), rebuilt, rescued, reassigned, suspended and
given tags and passwords; networks are of every kind, with IPv6, pools, quarantine
and forced cards. Many clusters share the servers by weight, projects and people;
what they run already is adopted. Reconciliation goes on all the time and tells what
it finds. ``snfctl`` has nouns for networks, subnets, pools, backends, jobs and
reconcile. ``ganeti-os/`` is an OS definition for nodes.
