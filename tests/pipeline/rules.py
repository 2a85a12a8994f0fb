"""Rules that the transcripts share."""

PLANS = """
version: 1
service: shop
hosts: [api.example]
defaults: {ttl: 60s, negative_ttl: 10s, stale_while_revalidate: 30s, stale_if_error: 1h}
namespaces:
  plans: {version: v1, ttl: 60s}
routes:
  - name: plan
    match: "GET /plans/{plan_id}"
    namespace: plans
    id: "{plan_id}"
    authorization: ignore
    cookies: ignore
    key: {query: [zip]}
    tags: [plans, "plan:{plan_id}"]
  - name: mine
    match: GET /mine
    scope: credential
    user: "{jwt.sub}"
  - name: guarded
    match: GET /guarded
invalidate:
  - after: "PUT /admin/plans/{plan_id}"
    tags: ["plan:{plan_id}"]
  - after: POST /admin/strict
    tags: [plans]
    on_store_failure: refuse
"""
