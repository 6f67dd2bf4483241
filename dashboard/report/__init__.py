"""The report of a back-test as one file of HTML: no request, no script, for screen, telephone and paper."""
