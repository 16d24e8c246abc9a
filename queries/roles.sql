-- name: KeepRule :exec
INSERT INTO rule (name, scope, operation, description) VALUES (@name, @scope, @operation, @description) ON CONFLICT DO NOTHING;

-- name: AllRules :many
SELECT * FROM rule ORDER BY id;

-- name: DefaultRoleByName :one
SELECT id FROM role WHERE name = @name AND organization_id IS NULL ORDER BY id LIMIT 1;

-- name: CreateRole :one
INSERT INTO role (name, description, organization_id) VALUES (@name, @description, @organization_id) RETURNING id;

-- name: AddRuleToRole :exec
INSERT INTO role_rule (role_id, rule_id) VALUES (@role_id, @rule_id) ON CONFLICT DO NOTHING;

-- name: AddRoleToUser :exec
INSERT INTO user_role (user_id, role_id) VALUES (@user_id, @role_id) ON CONFLICT DO NOTHING;
