"""The admin API, ``/admin/v1``: what ``snfctl`` and the administrators' pages use."""
