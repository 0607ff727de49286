"""The pages, one module for each kind of person, and home and account for everybody.

A module has `router`. It may have `begin(app)` and `end(app)`, which run when the portal starts and
ends. Every route says who may open it: `Depends(allowed("an.action"))`, or `Depends(public)`. A
route that takes more than a small form says so: `@router.post(…, max_body_size=…)`, and its form
has `action="{{ form_action("/its/path") }}"`, so that the body is not read before the secret is
checked; any other form has `{{ csrf_field() }}`, and `posted(request)` has what was typed.
"""
