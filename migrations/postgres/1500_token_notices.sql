-- Processes that remember checked API tokens hear of every change that could take something away.
CREATE FUNCTION margay_tell_token_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('api_tokens', '');
  RETURN NULL;
END $$;
CREATE TRIGGER api_tokens_told
  AFTER DELETE OR TRUNCATE OR UPDATE OF value_hash, permissions, allowed_cidr_blocks, expires_at ON api_tokens
  FOR EACH STATEMENT EXECUTE FUNCTION margay_tell_token_change();
