-- +goose Up
-- Where an event belongs, beside it: a list of those of one collaboration, or of what somebody may see, reads no
-- other table to find them. They are no references: an event about a deletion outlives what it names, and keeps
-- its name.
ALTER TABLE event ADD COLUMN in_collaboration BIGINT;
ALTER TABLE event ADD COLUMN of_organization BIGINT;
ALTER TABLE event ADD COLUMN name TEXT;
UPDATE event SET
  in_collaboration = COALESCE(collaboration_id, (SELECT t.collaboration_id FROM task t WHERE t.id = event.task_id),
    (SELECT n.collaboration_id FROM node n WHERE n.id = event.node_id)),
  of_organization = COALESCE(organization_id, (SELECT n.organization_id FROM node n WHERE n.id = event.node_id),
    (SELECT u.organization_id FROM "user" u WHERE u.id = event.user_id));
CREATE INDEX event_in_collaboration ON event (in_collaboration, id);

-- +goose StatementBegin
CREATE FUNCTION move_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'task' THEN UPDATE event SET in_collaboration = NEW.collaboration_id WHERE task_id = NEW.id;
    WHEN 'node' THEN UPDATE event SET in_collaboration = NEW.collaboration_id, of_organization = NEW.organization_id WHERE node_id = NEW.id;
    ELSE UPDATE event SET of_organization = NEW.organization_id WHERE user_id = NEW.id;
  END CASE;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER event_of_task_moves AFTER UPDATE OF collaboration_id ON task
  FOR EACH ROW WHEN (NEW.collaboration_id IS DISTINCT FROM OLD.collaboration_id) EXECUTE FUNCTION move_events();
CREATE TRIGGER event_of_node_moves AFTER UPDATE OF collaboration_id, organization_id ON node
  FOR EACH ROW WHEN (NEW.collaboration_id IS DISTINCT FROM OLD.collaboration_id OR NEW.organization_id IS DISTINCT FROM OLD.organization_id)
  EXECUTE FUNCTION move_events();
CREATE TRIGGER event_of_user_moves AFTER UPDATE OF organization_id ON "user"
  FOR EACH ROW WHEN (NEW.organization_id IS DISTINCT FROM OLD.organization_id) EXECUTE FUNCTION move_events();

-- +goose Down
DROP TRIGGER event_of_user_moves ON "user";
DROP TRIGGER event_of_node_moves ON node;
DROP TRIGGER event_of_task_moves ON task;
DROP FUNCTION move_events();
DELETE FROM event WHERE type LIKE '%-deleted';
DROP INDEX event_in_collaboration;
ALTER TABLE event DROP COLUMN name;
ALTER TABLE event DROP COLUMN of_organization;
ALTER TABLE event DROP COLUMN in_collaboration;
