enum PKIPlaceholder {}
