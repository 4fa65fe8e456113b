Accounts, whole: people sign up, prove their address and are let in or not; they
log in by password, LDAP, OpenID Connect or Shibboleth, with one-time codes if
they like, and hand programs tokens, application credentials or OAuth2 codes.
Projects are applied for, joined, limited, suspended and ended; programs register
their services and charge quotas with commissions. Letters are sent over SMTP.
``snfctl`` and ``/admin/v1`` look after all of it, and an audit trail tells who
did what.
