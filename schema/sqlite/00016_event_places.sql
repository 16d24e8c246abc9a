-- +goose Up
-- Where an event belongs, beside it: a list of those of one collaboration, or of what somebody may see, reads no
-- other table to find them. They are no references: an event about a deletion outlives what it names, and keeps
-- its name.
ALTER TABLE event ADD COLUMN in_collaboration INTEGER;
ALTER TABLE event ADD COLUMN of_organization INTEGER;
ALTER TABLE event ADD COLUMN name TEXT;
UPDATE event SET
  in_collaboration = COALESCE(collaboration_id, (SELECT t.collaboration_id FROM task t WHERE t.id = event.task_id),
    (SELECT n.collaboration_id FROM node n WHERE n.id = event.node_id)),
  of_organization = COALESCE(organization_id, (SELECT n.organization_id FROM node n WHERE n.id = event.node_id),
    (SELECT u.organization_id FROM "user" u WHERE u.id = event.user_id));
CREATE INDEX event_in_collaboration ON event (in_collaboration, id);

-- +goose StatementBegin
CREATE TRIGGER event_of_task_moves AFTER UPDATE OF collaboration_id ON task WHEN NEW.collaboration_id IS NOT OLD.collaboration_id
BEGIN
  UPDATE event SET in_collaboration = NEW.collaboration_id WHERE task_id = NEW.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER event_of_node_moves AFTER UPDATE OF collaboration_id, organization_id ON node
WHEN NEW.collaboration_id IS NOT OLD.collaboration_id OR NEW.organization_id IS NOT OLD.organization_id
BEGIN
  UPDATE event SET in_collaboration = NEW.collaboration_id, of_organization = NEW.organization_id WHERE node_id = NEW.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER event_of_user_moves AFTER UPDATE OF organization_id ON "user" WHEN NEW.organization_id IS NOT OLD.organization_id
BEGIN
  UPDATE event SET of_organization = NEW.organization_id WHERE user_id = NEW.id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER event_of_user_moves;
DROP TRIGGER event_of_node_moves;
DROP TRIGGER event_of_task_moves;
DELETE FROM event WHERE type LIKE '%-deleted';
DROP INDEX event_in_collaboration;
ALTER TABLE event DROP COLUMN name;
ALTER TABLE event DROP COLUMN of_organization;
ALTER TABLE event DROP COLUMN in_collaboration;
