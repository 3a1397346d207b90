-- A further kind of trouble: a sample showed that the rule index had left out a rule.
ALTER TABLE system_errors DROP CONSTRAINT system_errors_type_check;
ALTER TABLE system_errors ADD CONSTRAINT system_errors_type_check CHECK (type IN ('ALERT_DELIVERY',
  'DETECTION_ALERT_LIMIT_EXCEEDED', 'DETECTION_INDEX_MISMATCH', 'SOURCE_CLASSIFICATION_FAILURES',
  'SOURCE_LOG_PROCESSING_ERRORS', 'SOURCE_NO_DATA', 'SOURCE_PERMISSIONS_CHECKS', 'SOURCE_SCANNING_ERRORS'));
