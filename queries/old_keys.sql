-- API keys of nodes as a 3.x server stored them. One of a node that has got a key here counts no more.

-- name: OldKeys :many
SELECT k.node_id, k.hash, n.name, c.name AS collaboration, o.name AS organization FROM node_old_key k
JOIN node n ON n.id = k.node_id JOIN authenticatable a ON a.id = k.node_id
LEFT JOIN collaboration c ON c.id = n.collaboration_id LEFT JOIN organization o ON o.id = n.organization_id
WHERE n.api_key IS NULL
ORDER BY CASE WHEN a.last_seen IS NULL THEN 1 ELSE 0 END, a.last_seen DESC, k.node_id;

-- name: CountOldKeys :one
SELECT COUNT(*) FROM node_old_key k JOIN node n ON n.id = k.node_id WHERE n.api_key IS NULL;

-- name: ConvertOldKey :execrows
UPDATE node SET api_key = @api_key WHERE id = @id AND api_key IS NULL
  AND EXISTS (SELECT 1 FROM node_old_key k WHERE k.node_id = node.id);

-- name: DropOldKey :exec
DELETE FROM node_old_key WHERE node_id = @node_id;
